"""研修モード: made-up residents to practise with."""
