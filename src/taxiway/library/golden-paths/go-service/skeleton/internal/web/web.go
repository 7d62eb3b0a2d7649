// Package web is the HTTP face of the service: routes, probes, metrics, and what happens around every request.
package web

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"company.internal/${{ values.name }}/internal/health"
)

// Route is an operation of the API. Pattern is one of http.ServeMux, with its method. Handle answers, or says what is wrong.
type Route struct {
	Pattern string
	Handle  func(http.ResponseWriter, *http.Request) error
}

// New puts the parts together. openapi is the description of the routes.
func New(routes []Route, openapi []byte, state *health.State) http.Handler {
	measured := newMetrics()
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := route.Handle(w, r); err != nil {
				answer(w, r, err)
			}
		})
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_ = WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := state.Ready(r.Context()); err != nil {
			slog.WarnContext(r.Context(), "not ready", "reason", err.Error())
			answer(w, r, &Problem{http.StatusServiceUnavailable, "The service is not ready.", nil})
			return
		}
		_ = WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openapi)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(measured.registry, promhttp.HandlerOpts{}))
	return observed(refused(mux), measured)
}

// refused turns the answers of mux itself, for what no route matches, into problem documents.
func refused(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &refusal{header: http.Header{}, status: http.StatusNotFound}
		handler.ServeHTTP(said, r)
		if allow := said.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		answer(w, r, &Problem{said.status, http.StatusText(said.status), nil})
	})
}

// refusal takes an answer without sending it.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header { return r.header }

func (r *refusal) Write(data []byte) (int, error) { return len(data), nil }

func (r *refusal) WriteHeader(status int) { r.status = status }
