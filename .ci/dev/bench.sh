# `./dev bench`: the figures, one a line; each ratio is against a reference measured in the same run.

bench() {
  fail "There is nothing to measure yet."
}
