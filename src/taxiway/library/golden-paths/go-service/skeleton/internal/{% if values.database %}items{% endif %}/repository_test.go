package items

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"company.internal/${{ values.name }}/internal/database"
)

func TestTheTwinInMemory(t *testing.T) {
	behaves(t, &memory{})
}

func TestPostgres(t *testing.T) {
	url := os.Getenv("TEST_DATABASE_URL")
	if url == "" {
		t.Skip("TEST_DATABASE_URL is not set; give it an empty PostgreSQL database to run the SQL tests")
	}
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := database.Migrate(ctx, pool); err != nil {
		t.Fatal(err)
	}
	if again, err := database.Migrate(ctx, pool); err != nil || len(again) > 0 {
		t.Fatalf("applied twice: %v, %v", again, err)
	}
	if _, err := pool.Exec(ctx, "truncate item"); err != nil {
		t.Fatal(err)
	}
	behaves(t, NewPostgres(pool))
	if _, err := pool.Exec(ctx, "update schema_migration set sha256 = 'other'"); err != nil {
		t.Fatal(err)
	}
	if _, err := database.Migrate(ctx, pool); err == nil || !strings.Contains(err.Error(), "0001_items.sql") {
		t.Fatalf("a file that changed after it was applied is not named: %v", err)
	}
	if _, err := pool.Exec(ctx, "drop table item, schema_migration"); err != nil {
		t.Fatal(err)
	}
}

func behaves(t *testing.T, items Repository) {
	t.Helper()
	ctx := context.Background()
	tea, err := items.Add(ctx, NewItem{"tea", "hot"})
	if err != nil {
		t.Fatal(err)
	}
	milk, err := items.Add(ctx, NewItem{Name: "milk"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := items.Add(ctx, NewItem{Name: "tea"}); !errors.Is(err, ErrDuplicateName) {
		t.Errorf("a name is taken twice: %v", err)
	}
	if found, err := items.Get(ctx, tea.ID); err != nil || found == nil || found.Name != "tea" || found.Description != "hot" {
		t.Errorf("got %+v, %v", found, err)
	}
	if found, err := items.List(ctx, tea.ID, 1); err != nil || len(found) != 1 || found[0].ID != milk.ID {
		t.Errorf("got %+v, %v", found, err)
	}
	for _, want := range []bool{true, false} {
		if was, err := items.Delete(ctx, tea.ID); err != nil || was != want {
			t.Errorf("got %t, %v", was, err)
		}
	}
	if found, err := items.Get(ctx, tea.ID); err != nil || found != nil {
		t.Errorf("got %+v, %v", found, err)
	}
}
