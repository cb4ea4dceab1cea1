package cli

import (
	"fmt"
	"io"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// documents writes the objects that a command changed, where the format is one
// document: a List where several were asked for.
func documents(format output.Format, out io.Writer, objects []*candor.Object, several bool) error {
	if !format.Structured() {
		return nil
	}
	if several {
		return format.List(out, output.ListHeader{}, inOrder(objects))
	}
	if len(objects) == 0 {
		return nil
	}
	return format.Document(out, objects[0])
}

// names writes objects as -o name does.
func names(out io.Writer, kind Kind, objects ...*candor.Object) error {
	for _, object := range objects {
		if _, err := fmt.Fprintf(out, "%s/%s\n", kind.singular(), object.Metadata.Name); err != nil {
			return err
		}
	}
	return nil
}
