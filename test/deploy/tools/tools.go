//go:build tools

// Package manifests names the programs that tests check manifests with, so that go.mod pins them and all they need.
package manifests

import (
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "helm.sh/helm/v3/cmd/helm"
	_ "sigs.k8s.io/kustomize/kustomize/v5"
)
