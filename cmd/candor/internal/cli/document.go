package cli

import (
	"fmt"
	"io"
	"strconv"

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

// revisionText is a revision, generation or level; 0 is none.
func revisionText(n uint64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

// count is a number that may be 0.
func count(n uint64) string { return strconv.FormatUint(n, 10) }

// name writes an object as -o name does: KIND/NAME, and KIND/NAMESPACE/NAME
// where several namespaces are listed. Commands take either.
func name(out io.Writer, kind Kind, object *candor.Object, everywhere bool) error {
	text := kind.singular() + "/" + object.Metadata.Name
	if everywhere && object.Metadata.Namespace != "" {
		text = kind.singular() + "/" + object.Metadata.Namespace + "/" + object.Metadata.Name
	}
	_, err := fmt.Fprintln(out, text)
	return err
}
