package calls

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// Role is the word by which a child is told to have its calls watched.
const Role = "watch"

// Call is a system call that waits.
type Call struct {
	// Thread is the caller's, as /proc knows it.
	Thread uint32
	// Number and Arguments are the architecture's.
	Number    int32
	Arguments [6]uint64

	id uint64
}

// Command is a command whose process becomes program once its calls of these
// numbers wait. child is how this program is run so that it hands its arguments to
// Become, all but the first, which is Role.
func Command(child []string, numbers []uint32, program string, args ...string) *exec.Cmd {
	line := append([]string{Role, format(numbers), program}, args...)
	return exec.Command(child[0], append(child[1:len(child):len(child)], line...)...)
}

func format(numbers []uint32) string {
	words := make([]string, 0, len(numbers))
	for _, n := range numbers {
		words = append(words, strconv.FormatUint(uint64(n), 10))
	}
	return strings.Join(words, ",")
}

func parse(text string) ([]uint32, error) {
	var numbers []uint32
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, candor.Errorf(candor.ReasonUsage, "%q is no number of a system call", word)
		}
		numbers = append(numbers, uint32(n))
	}
	return numbers, nil
}

// refused is how a child says that the kernel does not have its calls watched.
const refused = "the kernel refuses to have system calls watched"

// Refused says whether what a child wrote before it ended is the kernel's refusal.
func Refused(said string) bool { return strings.Contains(said, refused) }

func unable(err error) error {
	return &candor.Error{Reason: candor.ReasonUnimplemented, Message: fmt.Sprintf("%s: %v", refused, err), Err: err}
}
