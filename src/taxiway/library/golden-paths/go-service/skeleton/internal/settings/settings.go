// Package settings reads every setting once at start from environment variables.
package settings

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Settings are all settings of the service.
type Settings struct {
	Host     string // the container image sets 0.0.0.0
	Port     int
	LogLevel slog.Level
	Drain    time.Duration // unready but still serving after SIGTERM
	Timeout  time.Duration // limit for requests still under way
{%- if values.database %}
	Database Database
{%- endif %}
}
{%- if values.database %}

// Database says where the PostgreSQL database is.
type Database struct {
	Host, Name, User, Password string
	Port                       int
	PoolSize                   int // connections held at most
}
{%- endif %}

// Load reads the settings. The error names each variable that is missing or wrong.
func Load(getenv func(string) string) (Settings, error) {
	r := reader{getenv: getenv}
	found := Settings{
		Host:     r.text("HOST", "127.0.0.1"),
		Port:     r.number("PORT", 8080, 0, 65535),
		LogLevel: r.level("LOG_LEVEL"),
		Drain:    time.Duration(r.number("SHUTDOWN_DRAIN_SECONDS", 1, 0, 600)) * time.Second,
		Timeout:  time.Duration(r.number("SHUTDOWN_TIMEOUT_SECONDS", 20, 1, 600)) * time.Second,
{%- if values.database %}
		Database: Database{
			Host:     r.required("DATABASE_HOST"),
			Port:     r.number("DATABASE_PORT", 5432, 1, 65535),
			Name:     r.required("DATABASE_NAME"),
			User:     r.required("DATABASE_USER"),
			Password: r.required("DATABASE_PASSWORD"),
			PoolSize: r.number("DATABASE_POOL_SIZE", 5, 1, 100),
		},
{%- endif %}
	}
	if len(r.problems) > 0 {
		text := "settings are not valid; set these environment variables:\n  "
		return Settings{}, fmt.Errorf("%s%s", text, strings.Join(r.problems, "\n  "))
	}
	return found, nil
}

type reader struct {
	getenv   func(string) string
	problems []string
}

func (r *reader) text(name, usual string) string {
	if value := r.getenv(name); value != "" {
		return value
	}
	return usual
}
{%- if values.database %}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.problems = append(r.problems, name+": it is required")
	}
	return value
}
{%- endif %}

func (r *reader) number(name string, usual, least, most int) int {
	value, err := strconv.Atoi(r.text(name, strconv.Itoa(usual)))
	if err != nil || value < least || value > most {
		r.problems = append(r.problems, fmt.Sprintf("%s: it must be a number from %d to %d", name, least, most))
	}
	return value
}

func (r *reader) level(name string) slog.Level {
	var level slog.Level
	text := strings.Replace(strings.ToUpper(r.text(name, "INFO")), "WARNING", "WARN", 1)
	if err := level.UnmarshalText([]byte(text)); err != nil {
		r.problems = append(r.problems, name+": it must be one of DEBUG, INFO, WARN, ERROR")
	}
	return level
}
