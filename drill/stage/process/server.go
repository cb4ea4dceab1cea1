package process

import (
	"os"
	"os/exec"
)

// Server is how a server is run, again and again. Its fields may change between two
// runs, by whoever owns it.
type Server struct {
	Name string
	// API and Raft are its addresses, Data its directory, Log the file that its runs
	// append what they say to.
	API, Raft, Data, Log string
	// Binary is the program, Flags all but the name, the directory and the addresses.
	Binary string
	Flags  []string
	// Env is added to this process's environment.
	Env []string
	// Command makes a run's command of its program and arguments; nil is exec.Command.
	// Start starts that; nil is (*exec.Cmd).Start.
	Command func(program string, args ...string) *exec.Cmd
	Start   func(child *exec.Cmd) error
	// Watches are system calls that wait for answers; then Command is not used, and Child
	// is how this program is run so that it hands its arguments to calls.Become.
	Watches []Watch
	Child   []string
	// Output takes what a run says; nil is the log file. The run has a copy of its own, so
	// it is closed once Begin returns.
	Output func() (*os.File, error)
}

// Begin begins a run. The caller ends it with Kill or Stop, or awaits Ended.
func (s *Server) Begin() (*Run, error) {
	args := append([]string{"server", "--name", s.Name, "--data", s.Data, "--api", s.API, "--raft", s.Raft}, s.Flags...)
	if len(s.Watches) > 0 {
		return s.watched(s.begin, args)
	}
	command := s.Command
	if command == nil {
		command = exec.Command
	}
	r, err := s.begin(command(s.Binary, args...), s.start())
	if err != nil {
		return nil, err
	}
	close(r.served)
	return r, nil
}

func (s *Server) start() func(*exec.Cmd) error {
	if s.Start == nil {
		return (*exec.Cmd).Start
	}
	return s.Start
}

// begin starts a command whose run has yet to be told that its calls are served.
func (s *Server) begin(child *exec.Cmd, start func(*exec.Cmd) error) (*Run, error) {
	if len(s.Env) > 0 {
		if child.Env == nil {
			child.Env = os.Environ()
		}
		child.Env = append(child.Env, s.Env...)
	}
	return begin(child, start, s.Log, s.Output)
}
