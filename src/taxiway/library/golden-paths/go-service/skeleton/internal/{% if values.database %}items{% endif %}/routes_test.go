package items

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"company.internal/${{ values.name }}/internal/health"
	"company.internal/${{ values.name }}/internal/web"
)

func ask(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func app() http.Handler {
	return web.New(Routes(&memory{}), nil, health.New())
}

func TestAnItemIsMadeReadListedAndDeleted(t *testing.T) {
	handler := app()
	made := ask(handler, "POST", "/items", `{"name": " tea "}`)
	if made.Code != 201 || made.Header().Get("Location") != "/items/1" || !strings.Contains(made.Body.String(), `"name":"tea"`) {
		t.Fatalf("got %d, %s", made.Code, made.Body)
	}
	if read := ask(handler, "GET", "/items/1", ""); read.Body.String() != made.Body.String() {
		t.Errorf("got %s", read.Body)
	}
	if listed := ask(handler, "GET", "/items", ""); listed.Body.String() != `{"items":[`+made.Body.String()+`],"next_after":null}` {
		t.Errorf("got %s", listed.Body)
	}
	for path, status := range map[string]int{"/items/x": 422, "/items/0": 422, "/items/2": 404, "/items?limit=0": 422, "/items?after=-1": 422} {
		if answer := ask(handler, "GET", path, ""); answer.Code != status {
			t.Errorf("%s: got %d", path, answer.Code)
		}
	}
	for _, status := range []int{204, 404} {
		if answer := ask(handler, "DELETE", "/items/1", ""); answer.Code != status {
			t.Errorf("got %d", answer.Code)
		}
	}
}

func TestItemsAreListedPageByPage(t *testing.T) {
	handler := app()
	for _, name := range []string{"a", "b", "c"} {
		ask(handler, "POST", "/items", fmt.Sprintf(`{"name": "%s"}`, name))
	}
	var page Page
	if err := json.Unmarshal(ask(handler, "GET", "/items?limit=2", "").Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Next == nil || *page.Next != 2 {
		t.Fatalf("got %+v", page)
	}
	last := ask(handler, "GET", "/items?limit=2&after=2", "").Body.String()
	if !strings.Contains(last, `"name":"c"`) || !strings.Contains(last, `"next_after":null`) {
		t.Errorf("got %s", last)
	}
}

func TestANameIsTakenOnce(t *testing.T) {
	handler := app()
	for _, status := range []int{201, 409} {
		if answer := ask(handler, "POST", "/items", `{"name": "tea"}`); answer.Code != status {
			t.Errorf("got %d, %s", answer.Code, answer.Body)
		}
	}
}

func TestInvalidInputNamesTheField(t *testing.T) {
	for _, body := range []string{`{}`, `{"name": "  "}`, `{"name": "a\u0000b"}`, `{"name": "` + strings.Repeat("x", 101) + `"}`} {
		if answer := ask(app(), "POST", "/items", body); answer.Code != 422 || !strings.Contains(answer.Body.String(), "body.name") {
			t.Errorf("%.30s: got %d, %s", body, answer.Code, answer.Body)
		}
	}
	if answer := ask(app(), "POST", "/items", `{"name": "x", "more": 1}`); answer.Code != 422 || !strings.Contains(answer.Body.String(), "more") {
		t.Errorf("got %d, %s", answer.Code, answer.Body)
	}
}
