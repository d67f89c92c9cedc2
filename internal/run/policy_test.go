package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAMaskingPolicyIsCheckedBeforeTheRun(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("good.yaml", "fields:\n  client_ip: {class: ip, method: token}\n")
	config := func(policy string) string { return "job: weblogs\nsource: /logs\nlake: out\n" + policy }
	for _, c := range []struct {
		name, config string
		want         []string // in the fault; none when empty
	}{
		{"by file, seen from the configuration", config("mask_policy: good.yaml\n"), nil},
		{"in place", config("mask_policy:\n  fields:\n    client_ip: {class: ip, method: drop}\n"), nil},
		{"with a vault", config("mask_policy:\n  reversible: [user]\nvault_key: env://VAULT\n"), nil},
		{"a field that is not there", config("mask_policy:\n  fields:\n    clientip: ip\n"), []string{"c.yaml:6: the job has no field clientip for a policy to set, did you mean client_ip?"}},
		{"a method that lets through", config("mask_policy:\n  fields:\n    user: none\n"), []string{"c.yaml:6: field user is of class user, which method keep would let through"}},
		{"a file that is not there", config("mask_policy: gone.yaml\n"), []string{"c.yaml:4: mask_policy", "gone.yaml"}},
		{"a fault in the policy", config("mask_policy:\n  fieds: {}\n"), []string{"c.yaml:5: unknown key fieds, did you mean fields?"}},
		{"no key for the vault", config("mask_policy:\n  reversible: [user]\n"), []string{"c.yaml:5: reversible tokens need a vault", "--vault-key"}},
		{"a key for no vault", config("vault_key: env://VAULT\n"), []string{"c.yaml:4: vault_key: there is no vault without reversible tokens"}},
		{"the vault to a sink", config("mask_policy:\n  reversible: [user]\nvault_key: env://VAULT\noutputs:\n  vault: kinesis://rows\n"), []string{"the vault stays in the lake"}},
	} {
		o, err := Merge(Options{}, []byte(c.config), put("c.yaml", c.config))
		if err == nil {
			_, err = check(o)
		}
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %v", c.name, want, err)
			}
		}
	}
}

func TestAFlagWinsOverThePolicyOfTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte("region: DE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flag, err := ReadMaskPolicy(path)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Merge(Options{MaskPolicy: flag}, []byte("mask_policy: {region: FR}\n"), "c.yaml")
	if err != nil || o.MaskPolicy.Region != "DE" {
		t.Errorf("%v, %v", o.MaskPolicy, err)
	}
}
