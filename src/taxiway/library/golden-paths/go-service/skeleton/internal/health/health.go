// Package health knows whether the service should get traffic.
package health

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const checkTimeout = 2 * time.Second

// State is the health of the service.
type State struct {
	// Check asks what the service cannot work without. It is set before the service serves.
	Check    func(context.Context) error
	draining atomic.Bool
}

// New returns the state of a service that needs nothing.
func New() *State {
	return &State{Check: func(context.Context) error { return nil }}
}

// Drain turns the service unready for good: its shutdown began.
func (s *State) Drain() {
	s.draining.Store(true)
}

// Ready says why the service should get no traffic; nil when it should.
func (s *State) Ready(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("a shutdown is under way")
	}
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return s.Check(limited)
}
