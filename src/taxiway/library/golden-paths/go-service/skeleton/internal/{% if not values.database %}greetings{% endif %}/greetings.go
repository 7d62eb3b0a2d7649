// Package greetings is the example resource; replace it with your own.
package greetings

import (
	"net/http"
	"unicode/utf8"

	"company.internal/${{ values.name }}/internal/web"
)

const longestName = 50

// Greeting is what somebody is told.
type Greeting struct {
	Message string `json:"message"`
}

// Routes are the operations of the resource. openapi.json describes them.
func Routes() []web.Route {
	return []web.Route{{Pattern: "GET /greetings/{name}", Handle: greet}}
}

func greet(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if utf8.RuneCountInString(name) > longestName {
		return web.Invalid(web.InvalidField{Field: "path.name", Message: "it must have 50 characters at most"})
	}
	return web.WriteJSON(w, http.StatusOK, Greeting{"Hello, " + name + "!"})
}
