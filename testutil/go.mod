module darvaza.org/x/net/testutil

go 1.25.0

require darvaza.org/core v0.21.2
require darvaza.org/slog v0.10.0
require github.com/stretchr/testify v1.12.1
