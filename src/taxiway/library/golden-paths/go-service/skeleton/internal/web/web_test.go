package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"company.internal/${{ values.name }}/internal/health"
	"company.internal/${{ values.name }}/internal/logs"
)

var routes = []Route{
	{"GET /things/{id}", func(w http.ResponseWriter, r *http.Request) error {
		return WriteJSON(w, http.StatusOK, r.PathValue("id"))
	}},
	{"GET /crash", func(http.ResponseWriter, *http.Request) error { panic("inner detail") }},
	{"GET /fail", func(http.ResponseWriter, *http.Request) error { return errors.New("inner detail") }},
}

func ask(handler http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

func TestItIsAliveAndReadyUntilItDrainsOrADependencyFails(t *testing.T) {
	state := health.New()
	handler := New(nil, nil, state)
	status := func(path string) int { return ask(handler, "GET", path).Code }
	if status("/healthz") != 200 || status("/readyz") != 200 {
		t.Fatal("it is not ready at first")
	}
	state.Check = func(context.Context) error { return errors.New("the database is gone") }
	if status("/healthz") != 200 || status("/readyz") != 503 {
		t.Fatal("a dependency that fails makes it unready, and no more")
	}
	state.Check = func(context.Context) error { return nil }
	state.Drain()
	if status("/readyz") != 503 {
		t.Fatal("it drains and is ready")
	}
}

func TestRequestsAreCountedByRouteAndProbesAreNot(t *testing.T) {
	handler := New(routes, nil, health.New())
	ask(handler, "GET", "/things/7")
	ask(handler, "GET", "/nothing/here")
	ask(handler, "MADE-UP", "/things/7")
	ask(handler, "GET", "/healthz")
	text := ask(handler, "GET", "/metrics").Body.String()
	for _, line := range []string{
		`http_requests_total{method="GET",route="/things/{id}",status="200"} 1`,
		`http_requests_total{method="GET",route="unmatched",status="404"} 1`,
		`http_requests_total{method="OTHER",route="unmatched",status="405"} 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s", line)
		}
	}
	if strings.Contains(text, "/healthz") {
		t.Error("probes are counted")
	}
}

func TestLogsCarryTheRequestIDAndTheCallersTrace(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	logs.Configure(&out, slog.LevelInfo)
	defer slog.SetDefault(before)
	trace := "0af7651916cd43dd8448eb211c80319c"
	handler := New(routes, nil, health.New())
	answer := ask(handler, "GET", "/things/7", "X-Request-Id", "abc-1", "Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	if answer.Header().Get("X-Request-Id") != "abc-1" {
		t.Error("a good request id is carried on")
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["message"] != "request" || line["request_id"] != "abc-1" || line["trace_id"] != trace || line["status"] != 200.0 {
		t.Errorf("got %v", line)
	}
	other := ask(handler, "GET", "/things/7", "X-Request-Id", "a b").Header().Get("X-Request-Id")
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(other) {
		t.Errorf("an unusable request id became %q", other)
	}
}

func TestErrorsAreProblemsWithoutInnerDetails(t *testing.T) {
	handler := New(routes, nil, health.New())
	for _, asked := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nothing", 404}, {"DELETE", "/things/7", 405}, {"GET", "/crash", 500}, {"GET", "/fail", 500},
	} {
		answer := ask(handler, asked.method, asked.path)
		var problem struct{ Status int }
		if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil {
			t.Fatal(err)
		}
		if answer.Code != asked.status || problem.Status != asked.status || answer.Header().Get("Content-Type") != problemType {
			t.Errorf("%s %s: got %d, %s", asked.method, asked.path, answer.Code, answer.Body)
		}
		if strings.Contains(answer.Body.String(), "inner detail") {
			t.Errorf("%s %s tells too much", asked.method, asked.path)
		}
	}
}

func TestABodyIsBounded(t *testing.T) {
	for body, status := range map[string]int{
		`{"a": 1}`: 0, `{"b": 1}`: 422, `{"a": 1} {}`: 422, `{`: 422, `{"a": ` + strings.Repeat(" ", maxBodyBytes) + `1}`: 413,
	} {
		var value struct{ A int }
		request := httptest.NewRequest("POST", "/", strings.NewReader(body))
		err := ReadJSON(httptest.NewRecorder(), request, &value)
		var problem *Problem
		if status == 0 && err != nil || status != 0 && (!errors.As(err, &problem) || problem.Status != status) {
			t.Errorf("%.20s: got %v", body, err)
		}
	}
}
