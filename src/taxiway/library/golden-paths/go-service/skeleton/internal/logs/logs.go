// Package logs writes one JSON object a line, with the ids of the request that a line belongs to.
package logs

import (
	"context"
	"io"
	"log/slog"
)

// IDs of a request: its own, and that of the trace that its caller carries on.
type IDs struct {
	Request, Trace string
}

type key struct{}

// With returns a context whose lines carry the ids.
func With(ctx context.Context, ids IDs) context.Context {
	return context.WithValue(ctx, key{}, ids)
}

// Configure makes w the place of all logs, from this level on.
func Configure(w io.Writer, level slog.Level) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: rename}
	slog.SetDefault(slog.New(handler{slog.NewJSONHandler(w, options)}))
}

func rename(groups []string, attribute slog.Attr) slog.Attr {
	if len(groups) == 0 && attribute.Key == slog.MessageKey {
		attribute.Key = "message"
	}
	return attribute
}

type handler struct {
	slog.Handler
}

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if ids, ok := ctx.Value(key{}).(IDs); ok {
		record.AddAttrs(slog.String("request_id", ids.Request), slog.String("trace_id", ids.Trace))
	}
	return h.Handler.Handle(ctx, record)
}

func (h handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attributes)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}
