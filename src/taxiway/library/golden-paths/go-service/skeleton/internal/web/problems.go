package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

const (
	problemType  = "application/problem+json"
	maxBodyBytes = 64 << 10
)

// InvalidField says what is wrong with one field of a request.
type InvalidField struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Problem is an answer other than success, as RFC 9457 has it. The detail is for whoever asked.
type Problem struct {
	Status int
	Detail string
	Errors []InvalidField
}

func (p *Problem) Error() string {
	return p.Detail
}

// Invalid is the problem of a request whose fields are wrong.
func Invalid(fields ...InvalidField) *Problem {
	return &Problem{http.StatusUnprocessableEntity, "The request is not valid; see errors.", fields}
}

// ReadJSON reads the body into value. It refuses unknown fields, a second value, and more than 64 KiB.
func ReadJSON(w http.ResponseWriter, r *http.Request, value any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(value)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one value")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &Problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes.", large.Limit), nil}
	}
	if err != nil {
		return Invalid(InvalidField{"body", strings.TrimPrefix(err.Error(), "json: ")})
	}
	return nil
}

// WriteJSON answers with value.
func WriteJSON(w http.ResponseWriter, status int, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the caller may have gone away
	return nil
}

// answer turns what a handler returned into a problem document. What is no Problem is logged and not told.
func answer(w http.ResponseWriter, r *http.Request, err error) {
	var problem *Problem
	if !errors.As(err, &problem) {
		slog.ErrorContext(r.Context(), "request failed", "error", err.Error())
		problem = &Problem{http.StatusInternalServerError, "The server could not handle this request; quote the request id.", nil}
	}
	data, _ := json.Marshal(struct { // a document of strings and numbers always has a JSON form
		Type   string         `json:"type"`
		Title  string         `json:"title"`
		Status int            `json:"status"`
		Detail string         `json:"detail"`
		Errors []InvalidField `json:"errors,omitempty"`
	}{"about:blank", http.StatusText(problem.Status), problem.Status, problem.Detail, problem.Errors})
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(problem.Status)
	_, _ = w.Write(data)
}
