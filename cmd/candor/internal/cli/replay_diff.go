package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/replay"
)

// differ compares two sources.
func (o *ReplayOptions) differ(ctx context.Context, format output.Format, from *logSource) (err error) {
	other, err := o.openSource(ctx, o.Other)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.close()) }()
	mine, others := from.Origin(), other.Origin()
	if mine.ClusterID != "" && others.ClusterID != "" && mine.ClusterID != others.ClusterID {
		return candor.Errorf(candor.ReasonClusterMismatch, "%s is of cluster %s, %s of cluster %s", mine.Name, mine.ClusterID, others.Name, others.ClusterID)
	}
	found, err := replay.Compare(ctx, from, other, o.To)
	if err != nil {
		return err
	}
	if format.Structured() {
		err = format.Document(o.Out, found)
	} else {
		_, err = io.WriteString(o.Out, differenceText(found, mine.Name, others.Name))
	}
	if err != nil {
		return internal("replay", err)
	}
	if !found.Same {
		return &ended{exit: candor.ExitViolated}
	}
	return nil
}

func differenceText(d *replay.Difference, a, b string) string {
	var text strings.Builder
	line := func(format string, args ...any) { text.WriteString(output.Clean(fmt.Sprintf(format, args...)) + "\n") }
	if d.Same {
		line("%s and %s have the same state after each of %s entries, %d to %d.", a, b, output.Count(uint64(d.Compared)), d.First, d.Last)
		return text.String()
	}
	line("%s and %s DIFFER first after entry %d; %d states before it are the same.", a, b, d.Index, d.Compared-1)
	if d.SameEntry {
		line("Both have the same entry there.")
	}
	for _, side := range []*replay.Side{d.A, d.B} {
		line("")
		line("%s", side.Source)
		by := "replayed"
		if side.By != "" {
			by = "published by " + side.By
		}
		line("  digest %s, %s", side.Digest, by)
		if side.Digest != side.Replayed {
			line("  its log comes to %s", side.Replayed)
		}
		for i := range side.Turns {
			text.WriteString(turnText(&side.Turns[i], "  "))
		}
	}
	if d.Total > 0 {
		line("")
		line("Objects that the two logs make otherwise (%s | %s):", a, b)
		text.WriteString(objectsText(d.Objects, d.Total))
	}
	for _, n := range d.Notes {
		line("Note: %s", n)
	}
	return text.String()
}
