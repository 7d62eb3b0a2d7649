package greetings

import (
	"net/http/httptest"
	"strings"
	"testing"

	"company.internal/${{ values.name }}/internal/health"
	"company.internal/${{ values.name }}/internal/web"
)

func get(path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	web.New(Routes(), nil, health.New()).ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer
}

func TestSomebodyIsGreeted(t *testing.T) {
	if answer := get("/greetings/Ada"); answer.Code != 200 || answer.Body.String() != `{"message":"Hello, Ada!"}` {
		t.Fatalf("got %d, %s", answer.Code, answer.Body)
	}
}

func TestANameThatIsTooLongIsRefused(t *testing.T) {
	if answer := get("/greetings/" + strings.Repeat("x", 51)); answer.Code != 422 || !strings.Contains(answer.Body.String(), "path.name") {
		t.Fatalf("got %d, %s", answer.Code, answer.Body)
	}
}
