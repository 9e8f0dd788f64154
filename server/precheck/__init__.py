"""開始前点検: whether a counter and the server can hold a call, tried by doing it."""
