//go:build tools

// Package jaeger pins the trace store that the tests start; the service itself holds nothing of it.
package jaeger

import _ "github.com/jaegertracing/jaeger/cmd/all-in-one"
