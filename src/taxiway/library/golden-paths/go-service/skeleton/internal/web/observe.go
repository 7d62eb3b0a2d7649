package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"company.internal/${{ values.name }}/internal/logs"
)

var (
	requestID   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	traceParent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}`)
	noTrace     = strings.Repeat("0", 32)
)

// quiet paths are no requests of users: they would drown rates, latencies and logs.
var quiet = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// observed gives every request an id, metrics and one log line, and turns a panic into a problem.
func observed(next http.Handler, measured *metrics) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ids := logs.IDs{Request: r.Header.Get("X-Request-Id"), Trace: noTrace}
		if !requestID.MatchString(ids.Request) {
			ids.Request = newID()
		}
		if found := traceParent.FindStringSubmatch(r.Header.Get("Traceparent")); found != nil {
			ids.Trace = found[1]
		}
		if ids.Trace == noTrace {
			ids.Trace = newID()
		}
		r = r.WithContext(logs.With(r.Context(), ids))
		sent := &recorder{ResponseWriter: w}
		w.Header().Set("X-Request-Id", ids.Request)
		defer func() {
			if crash := recover(); crash != nil {
				if err, ok := crash.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(crash)
				}
				if sent.status == 0 {
					answer(sent, r, fmt.Errorf("panic: %v", crash))
				}
			}
			if !quiet[r.URL.Path] {
				record(measured, r, sent.status, time.Since(began))
			}
		}()
		next.ServeHTTP(sent, r)
	})
}

func record(measured *metrics, r *http.Request, status int, took time.Duration) {
	route := "unmatched"
	if _, path, found := strings.Cut(r.Pattern, " "); found {
		route = path
	}
	measured.observe(r.Method, route, status, took)
	slog.InfoContext(r.Context(), "request",
		"method", r.Method,
		"path", r.URL.Path,
		"route", route,
		"status", status,
		"duration_ms", float64(took.Microseconds())/1000,
	)
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	return hex.EncodeToString(id[:])
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
