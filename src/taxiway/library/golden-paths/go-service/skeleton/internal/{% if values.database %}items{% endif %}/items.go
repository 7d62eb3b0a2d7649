// Package items is the resource: values, routes, and where items are kept.
package items

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"company.internal/${{ values.name }}/internal/web"
)

const (
	longestName        = 100
	longestDescription = 1000
)

// ErrDuplicateName: an item of that name exists.
var ErrDuplicateName = errors.New("an item of that name exists")

// NewItem is what a caller gives.
type NewItem struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Item is what is kept.
type Item struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
}

// Page is a part of the items. Next is the `after` of the next page, nil on the last one.
type Page struct {
	Items []Item `json:"items"`
	Next  *int64 `json:"next_after"`
}

// Repository is where items are kept. Its twin for tests is in memory_test.go.
type Repository interface {
	// Add fails with ErrDuplicateName.
	Add(ctx context.Context, item NewItem) (Item, error)
	// Get returns nil when there is none.
	Get(ctx context.Context, id int64) (*Item, error)
	// List returns at most limit items with an id above after, in the order of their ids.
	List(ctx context.Context, after int64, limit int) ([]Item, error)
	// Delete returns false when there was none.
	Delete(ctx context.Context, id int64) (bool, error)
}

// checked returns the item as it is kept, or says which fields are wrong.
func (n NewItem) checked() (NewItem, error) {
	n.Name = strings.TrimSpace(n.Name)
	var wrong []web.InvalidField
	if length := utf8.RuneCountInString(n.Name); length == 0 || length > longestName || !isLine(n.Name) {
		wrong = append(wrong, web.InvalidField{Field: "body.name", Message: "it must be a line of 1 to 100 characters"})
	}
	if utf8.RuneCountInString(n.Description) > longestDescription || strings.ContainsRune(n.Description, 0) {
		text := "it must be text of 1000 characters at most"
		wrong = append(wrong, web.InvalidField{Field: "body.description", Message: text})
	}
	if wrong != nil {
		return n, web.Invalid(wrong...)
	}
	return n, nil
}

// isLine: control characters are refused. PostgreSQL cannot store NUL, and nobody wants the others in a name.
func isLine(text string) bool {
	return strings.IndexFunc(text, unicode.IsControl) < 0
}
