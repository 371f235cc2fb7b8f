package main

import (
	"testing"

	"darvaza.org/x/net/scripts/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
