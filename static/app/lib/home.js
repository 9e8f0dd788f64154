/** The page on which a role begins its work. @param {string | undefined} role */
export function homeOf(role) {
  if (role === "administrator") return "/administration";
  return role === "officer" || role === "auditor" ? "/officer" : "/desk";
}
