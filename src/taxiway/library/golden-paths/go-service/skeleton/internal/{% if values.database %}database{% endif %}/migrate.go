package database

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var files embed.FS

const (
	folder  = "migrations"
	lockKey = 7_141_993
	ledger  = `
create table if not exists schema_migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)`
)

// Migrate applies migrations/NNNN_name.sql in order, each once, in one transaction per file, and returns what it applied.
//
// It runs at every start. Instances that start together queue at an advisory lock. A file that was applied must never
// change; write a new one. Expand first (add), contract in a later release (drop): the old release still runs meanwhile.
func Migrate(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	connection, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Release()
	if _, err := connection.Exec(ctx, "select pg_advisory_lock($1)", lockKey); err != nil {
		return nil, err
	}
	// The connection goes back to the pool, so the lock must go first, whatever became of ctx.
	defer func() {
		_, _ = connection.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", lockKey)
	}()
	if _, err := connection.Exec(ctx, ledger); err != nil {
		return nil, err
	}
	known, err := applied(ctx, connection.Conn())
	if err != nil {
		return nil, err
	}
	entries, err := files.ReadDir(folder) // sorted by name
	if err != nil {
		return nil, err
	}
	var now []string
	for _, entry := range entries {
		sql, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return now, err
		}
		hash := sha256.Sum256(sql)
		sum := hex.EncodeToString(hash[:])
		if before, found := known[entry.Name()]; found {
			if before != sum {
				return now, fmt.Errorf("%s was changed after it was applied: restore it, and add a new file", entry.Name())
			}
			continue
		}
		if err := apply(ctx, connection.Conn(), entry.Name(), string(sql), sum); err != nil {
			return now, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		slog.InfoContext(ctx, "migration applied", "migration", entry.Name())
		now = append(now, entry.Name())
	}
	return now, nil
}

func applied(ctx context.Context, connection *pgx.Conn) (map[string]string, error) {
	rows, err := connection.Query(ctx, "select name, sha256 from schema_migration")
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	var name, sum string
	_, err = pgx.ForEachRow(rows, []any{&name, &sum}, func() error {
		known[name] = sum
		return nil
	})
	return known, err
}

func apply(ctx context.Context, connection *pgx.Conn, name, sql, sum string) error {
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "insert into schema_migration (name, sha256) values ($1, $2)", name, sum)
		return err
	})
}
