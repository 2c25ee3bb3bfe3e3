"""Pages: a request becomes selectors' answers and a template; a form becomes one service call."""
