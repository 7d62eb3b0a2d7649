// Command ${{ values.name }}: start, signals, shutdown.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
{% if values.database %}
	"company.internal/${{ values.name }}/internal/database"
{%- else %}
	"company.internal/${{ values.name }}/internal/greetings"
{%- endif %}
	"company.internal/${{ values.name }}/internal/health"
{%- if values.database %}
	"company.internal/${{ values.name }}/internal/items"
{%- endif %}
	"company.internal/${{ values.name }}/internal/logs"
	"company.internal/${{ values.name }}/internal/settings"
	"company.internal/${{ values.name }}/internal/web"
)

//go:embed openapi.json
var openapi []byte

func main() {
	if err := run(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// run serves until SIGTERM or SIGINT: then it turns unready, serves a little longer, and ends what is under way.
func run(getenv func(string) string) error {
	config, err := settings.Load(getenv)
	if err != nil {
		return err
	}
	logs.Configure(os.Stdout, config.LogLevel)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	state := health.New()
{%- if values.database %}
	pool, err := database.Open(ctx, config.Database, "${{ values.name }}")
	if err != nil {
		return err
	}
	defer pool.Close()
	state.Check = pool.Ping
	routes := items.Routes(items.NewPostgres(pool))
{%- else %}
	routes := greetings.Routes()
{%- endif %}
	server := &http.Server{
		Handler:           web.New(routes, openapi, state),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(config.Host, strconv.Itoa(config.Port)))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	slog.Info("listening", "address", listener.Addr().String())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop()
	slog.Info("shutting down")
	state.Drain()
	time.Sleep(config.Drain)
	limit, cancel := context.WithTimeout(context.Background(), config.Timeout)
	defer cancel()
	if err := server.Shutdown(limit); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("requests were still under way: %w", err)
	}
	return nil
}
