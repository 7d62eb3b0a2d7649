package items

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	columns         = "id, name, description, created_at"
	uniqueViolation = "23505"
)

// Postgres keeps items in PostgreSQL. All SQL of this resource is here.
type Postgres struct {
	pool *pgxpool.Pool
}

// NewPostgres returns the repository on a database whose schema is up to date.
func NewPostgres(pool *pgxpool.Pool) *Postgres {
	return &Postgres{pool}
}

// Add implements Repository.
func (p *Postgres) Add(ctx context.Context, item NewItem) (Item, error) {
	sql := "insert into item (name, description) values ($1, $2) returning " + columns
	rows, err := p.pool.Query(ctx, sql, item.Name, item.Description)
	if err != nil {
		return Item{}, err
	}
	made, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Item])
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == uniqueViolation {
		return Item{}, ErrDuplicateName
	}
	return made, err
}

// Get implements Repository.
func (p *Postgres) Get(ctx context.Context, id int64) (*Item, error) {
	rows, err := p.pool.Query(ctx, "select "+columns+" from item where id = $1", id)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectOneRow(rows, pgx.RowToAddrOfStructByPos[Item])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// List implements Repository.
func (p *Postgres) List(ctx context.Context, after int64, limit int) ([]Item, error) {
	rows, err := p.pool.Query(ctx, "select "+columns+" from item where id > $1 order by id limit $2", after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Item])
}

// Delete implements Repository.
func (p *Postgres) Delete(ctx context.Context, id int64) (bool, error) {
	done, err := p.pool.Exec(ctx, "delete from item where id = $1", id)
	return done.RowsAffected() == 1, err
}
