int middle(int n) { return n * 3 + 1; }
