"""本人確認記録: what is kept of a call for years, signed, and how it is verified again."""
