package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"millrace/internal/maskkey"
	"millrace/internal/maskpolicy"
	"millrace/internal/settings"
	"millrace/schemas/manifest"
	"millrace/transforms"
)

// ReadMaskPolicy reads a masking policy, alone in its file or under the key mask_policy
// of a configuration. Every fault is reported, with file, line and key.
func ReadMaskPolicy(name string) (*maskpolicy.File, error) {
	content, err := settings.ReadFile(name)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("masking policy: %w", err)}
	}
	f, err := maskpolicy.Read(name, content)
	if err != nil {
		return nil, &UsageError{err}
	}
	return f, nil
}

// policy reads the value of the key mask_policy: the policy, or the name of its file,
// seen from the folder of the configuration.
func (f *file) policy(n ast.Node, where string) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	var read *maskpolicy.File
	var err error
	if name, ok := n.(*ast.StringNode); ok {
		path := name.Value
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(f.name), path)
		}
		if read, err = ReadMaskPolicy(path); err != nil {
			err = fmt.Errorf("%s: %s: %w", where, maskpolicy.Key, err)
		}
	} else {
		read, err = maskpolicy.Decode(n, f.name)
	}
	if err != nil {
		f.faults = append(f.faults, err)
		return
	}
	if f.options.MaskPolicy == nil {
		f.options.MaskPolicy, f.given[maskpolicy.Key] = read, where
	}
}

// checkPolicy holds the masking policy against the job, before anything is read.
func (r *request) checkPolicy() (faults []error) {
	if r.MaskPolicy != nil {
		if err := r.MaskPolicy.CheckJob(r.job.Fields); err != nil {
			faults = append(faults, err)
		}
	}
	switch reversible := r.MaskPolicy.Reversible(); {
	case reversible && r.VaultKey == "":
		faults = append(faults, fmt.Errorf("%s:%d: reversible tokens need a vault, and that a key of its own: give it with --vault-key, by reference as --mask-key", r.MaskPolicy.Name, r.MaskPolicy.Lines["reversible"]))
	case !reversible && r.VaultKey != "":
		faults = append(faults, fmt.Errorf("%s: there is no vault without reversible tokens; name their classes by the key reversible of a masking policy, or leave it out", r.at("vault_key")))
	}
	return faults
}

// resolveVaultKey finds the vault's key, which is to be none of those that make tokens.
func (p *Plan) resolveVaultKey(ctx context.Context) error {
	if !p.req.MaskPolicy.Reversible() {
		return nil
	}
	ring, err := maskkey.Resolve(ctx, p.req.VaultKey)
	if err != nil {
		return &UsageError{fmt.Errorf("%s: %w", p.req.at("vault_key"), err)}
	}
	p.vaultKey = ring.Active()
	for _, k := range slices.Concat(p.Key.Older(), []maskkey.Key{p.Key.Active()}) {
		if k.Secret() == p.vaultKey.Secret() {
			return usage("%s: it is the masking key %s: who makes tokens could take them back; give the vault a key of its own", p.req.at("vault_key"), k.ID())
		}
	}
	return nil
}

// masking adds the policy to what the transforms share.
func (p *Plan) masking(c transforms.Common) transforms.Common {
	if p.req.MaskPolicy != nil {
		c.Policy, c.VaultRef = &p.req.MaskPolicy.Policy, p.req.VaultKey
	}
	return c
}

// policy is what the manifest says of the masking policy, nil for none.
func (p *Plan) policy() *manifest.MaskPolicy {
	if p.req.MaskPolicy == nil {
		return nil
	}
	m := &manifest.MaskPolicy{Name: filepath.Base(p.req.MaskPolicy.Name), Version: p.policyVersion}
	if p.req.MaskPolicy.Reversible() {
		m.VaultKeyID = p.vaultKey.ID()
	}
	return m
}

// namePolicy notes the version of the policy.
func (p *Plan) namePolicy() (err error) {
	if p.req.MaskPolicy != nil {
		p.policyVersion, err = p.req.MaskPolicy.Version()
	}
	return err
}

// withPolicy adds to what decides the rows of a run the vault's key; the policy is among
// the settings.
func (p *Plan) withPolicy(decides map[string]any) map[string]any {
	if p.req.MaskPolicy.Reversible() {
		decides["vault_key"] = p.vaultKey.ID()
	}
	return decides
}
