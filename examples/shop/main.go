// Command shop is a small HTTP service to be run as instances: `shop serve` answers until
// SIGTERM, on a port that the system gives, and `shop check` asks the one beside it
// whether it does. They find each other by CANDOR_INSTANCE_UID and TMPDIR, which both get
// from their worker.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(ctx, args[1])
	case len(args) == 1 && args[0] == "check":
		return check(ctx)
	default:
		return errors.New("usage: shop serve NAME | shop check")
	}
}

// addressFile is where an instance says on which port it answers.
func addressFile() string {
	return filepath.Join(os.TempDir(), "shop-"+os.Getenv("CANDOR_INSTANCE_UID")+".address")
}

func serve(ctx context.Context, name string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.WriteFile(addressFile(), []byte(listener.Addr().String()), 0o600); err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { _ = os.Remove(addressFile()) }() // nobody reads it any more
	fmt.Fprintf(os.Stdout, "%s answers on http://%s\n", name, listener.Addr())
	server := &http.Server{Handler: pages(name), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, name, "ends")
	return nil
}

func pages(name string) http.Handler {
	var served atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "%s, instance %s, page %d\n", name, os.Getenv("CANDOR_INSTANCE"), served.Add(1)) //nolint:gosec // plain text
	})
	return mux
}

func check(ctx context.Context) error {
	address, err := os.ReadFile(addressFile())
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(address)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", request.URL, answer.Status)
	}
	return nil
}
