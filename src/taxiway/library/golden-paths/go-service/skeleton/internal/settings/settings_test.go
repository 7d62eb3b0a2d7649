package settings

import (
	"strings"
	"testing"
	"time"
)

func from(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	_, err := Load(from(map[string]string{"PORT": "high", "LOG_LEVEL": "loud"}))
	for _, name := range []string{"PORT", "LOG_LEVEL"{% if values.database %}, "DATABASE_HOST", "DATABASE_PASSWORD"{% endif %}} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestThereAreDefaults(t *testing.T) {
{%- if values.database %}
	found, err := Load(from(map[string]string{
		"DATABASE_HOST": "h", "DATABASE_NAME": "n", "DATABASE_USER": "u", "DATABASE_PASSWORD": "p",
	}))
{%- else %}
	found, err := Load(from(nil))
{%- endif %}
	if err != nil || found.Port != 8080 || found.Host != "127.0.0.1" || found.Drain != time.Second {
		t.Fatalf("got %+v, %v", found, err)
	}
}
