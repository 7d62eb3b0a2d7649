package items

import (
	"context"
	"time"
)

// memory is the twin of Postgres. repository_test.go holds both to the same behaviour.
type memory struct {
	items []Item
	last  int64
}

func (m *memory) Add(_ context.Context, item NewItem) (Item, error) {
	for _, one := range m.items {
		if one.Name == item.Name {
			return Item{}, ErrDuplicateName
		}
	}
	m.last++
	made := Item{m.last, item.Name, item.Description, time.Now().UTC()}
	m.items = append(m.items, made)
	return made, nil
}

func (m *memory) Get(_ context.Context, id int64) (*Item, error) {
	for _, one := range m.items {
		if one.ID == id {
			return &one, nil
		}
	}
	return nil, nil
}

func (m *memory) List(_ context.Context, after int64, limit int) ([]Item, error) {
	found := []Item{}
	for _, one := range m.items {
		if one.ID > after && len(found) < limit {
			found = append(found, one)
		}
	}
	return found, nil
}

func (m *memory) Delete(_ context.Context, id int64) (bool, error) {
	for at, one := range m.items {
		if one.ID == id {
			m.items = append(m.items[:at], m.items[at+1:]...)
			return true, nil
		}
	}
	return false, nil
}
