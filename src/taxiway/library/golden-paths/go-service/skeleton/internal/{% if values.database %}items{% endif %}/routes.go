package items

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"company.internal/${{ values.name }}/internal/web"
)

const (
	usualLimit = 20
	mostLimit  = 100
)

// Routes are the operations of the resource. openapi.json describes them.
func Routes(items Repository) []web.Route {
	h := handlers{items}
	return []web.Route{
		{Pattern: "POST /items", Handle: h.create},
		{Pattern: "GET /items", Handle: h.list},
		{Pattern: "GET /items/{id}", Handle: h.get},
		{Pattern: "DELETE /items/{id}", Handle: h.remove},
	}
}

type handlers struct {
	items Repository
}

func (h handlers) create(w http.ResponseWriter, r *http.Request) error {
	var given NewItem
	if err := web.ReadJSON(w, r, &given); err != nil {
		return err
	}
	given, err := given.checked()
	if err != nil {
		return err
	}
	made, err := h.items.Add(r.Context(), given)
	if errors.Is(err, ErrDuplicateName) {
		text := fmt.Sprintf("An item named '%s' exists; choose another name.", given.Name)
		return &web.Problem{Status: http.StatusConflict, Detail: text}
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", fmt.Sprintf("/items/%d", made.ID))
	return web.WriteJSON(w, http.StatusCreated, made)
}

func (h handlers) list(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r.FormValue("after"), "query.after", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	limit, err := number(r.FormValue("limit"), "query.limit", usualLimit, 1, mostLimit)
	if err != nil {
		return err
	}
	// One more than the page is read, to know whether another page follows.
	found, err := h.items.List(r.Context(), after, int(limit)+1)
	if err != nil {
		return err
	}
	page := Page{Items: found}
	if len(found) > int(limit) {
		page.Items = found[:limit]
		page.Next = &page.Items[limit-1].ID
	}
	return web.WriteJSON(w, http.StatusOK, page)
}

func (h handlers) get(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r.PathValue("id"), "path.id", 0, 1, 1<<62)
	if err != nil {
		return err
	}
	found, err := h.items.Get(r.Context(), id)
	if err != nil {
		return err
	}
	if found == nil {
		return missing(id)
	}
	return web.WriteJSON(w, http.StatusOK, found)
}

func (h handlers) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r.PathValue("id"), "path.id", 0, 1, 1<<62)
	if err != nil {
		return err
	}
	was, err := h.items.Delete(r.Context(), id)
	if err != nil {
		return err
	}
	if !was {
		return missing(id)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func missing(id int64) error {
	return &web.Problem{Status: http.StatusNotFound, Detail: fmt.Sprintf("There is no item %d.", id)}
}

func number(text, field string, usual, least, most int64) (int64, error) {
	if text == "" {
		return usual, nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		return 0, web.Invalid(web.InvalidField{Field: field, Message: fmt.Sprintf("it must be a number from %d to %d", least, most)})
	}
	return value, nil
}
