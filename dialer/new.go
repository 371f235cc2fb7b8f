package dialer

// New returns a dialer that follows cfg.
func New(cfg Config) Dialer {
	d := cfg.Export()
	return &d
}
