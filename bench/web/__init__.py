"""`script/bench web`: what one web process bears, a module for each kind of measurement."""
