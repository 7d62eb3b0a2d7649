// Package database opens the PostgreSQL database and brings its schema up to date.
package database

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"company.internal/${{ values.name }}/internal/settings"
)

const (
	openTimeout      = 30 * time.Second
	statementTimeout = "5000" // milliseconds: a statement that takes longer is ended
)

// Open connects and applies the migrations that are missing. name is what the database shows of these connections.
func Open(ctx context.Context, given settings.Database, name string) (*pgxpool.Pool, error) {
	address := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(given.User, given.Password),
		Host:   net.JoinHostPort(given.Host, strconv.Itoa(given.Port)),
		Path:   given.Name,
	}
	config, err := pgxpool.ParseConfig(address.String())
	if err != nil {
		return nil, fmt.Errorf("the database settings are not valid: check the DATABASE_* variables")
	}
	config.MaxConns = int32(given.PoolSize)
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.ConnConfig.RuntimeParams["statement_timeout"] = statementTimeout
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := Migrate(limited, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("the database cannot be used: %w", err)
	}
	return pool, nil
}
