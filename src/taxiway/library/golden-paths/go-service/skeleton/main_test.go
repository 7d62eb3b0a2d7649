package main

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"
{% if values.database %}
	"company.internal/${{ values.name }}/internal/items"
{%- else %}
	"company.internal/${{ values.name }}/internal/greetings"
{%- endif %}
	"company.internal/${{ values.name }}/internal/web"
)

// The document that the catalog shows names exactly the routes that there are.
func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(openapi, &document); err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for path, operations := range document.Paths {
		for method := range operations {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
{%- if values.database %}
	var routes []web.Route = items.Routes(nil)
{%- else %}
	var routes []web.Route = greetings.Routes()
{%- endif %}
	for _, route := range routes {
		served = append(served, route.Pattern)
	}
	sort.Strings(described)
	sort.Strings(served)
	if got, want := strings.Join(described, ", "), strings.Join(served, ", "); got != want {
		t.Fatalf("openapi.json has %s; the service has %s", got, want)
	}
}

func TestAWrongSettingEndsTheStart(t *testing.T) {
	err := run(func(name string) string { return map[string]string{"PORT": "high"}[name] })
	if err == nil || !strings.Contains(err.Error(), "PORT") {
		t.Fatalf("got %v", err)
	}
}
