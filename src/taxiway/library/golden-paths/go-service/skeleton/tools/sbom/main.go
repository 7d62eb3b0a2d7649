// Command sbom writes the bill of materials of a Go program: what the compiler noted in it, as CycloneDX.
package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type document struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("usage: sbom PROGRAM")
	}
	info, err := buildinfo.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	version := strings.TrimPrefix(info.GoVersion, "go")
	found := document{"CycloneDX", "1.6", 1, metadata{component{Type: "application", Name: info.Main.Path}}, []component{
		{Type: "library", Name: "std", Version: version, PURL: "pkg:golang/std@" + version},
	}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		one := component{Type: "library", Name: module.Path, Version: module.Version}
		one.PURL = "pkg:golang/" + module.Path + "@" + module.Version
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(module.Sum, "h1:")); err == nil && len(sum) > 0 {
			one.Hashes = []hash{treeHash(sum)}
		}
		found.Components = append(found.Components, one)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(found)
}

// treeHash is the hash of a module as go.sum has it: SHA-256 over the hashes of its files.
func treeHash(sum []byte) hash {
	return hash{"SHA-256", hex.EncodeToString(sum)}
}
