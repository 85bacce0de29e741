// Keys and tokens that stand in this project's own tests, where everybody can read them, as SHA-256 in base64url. The
// set-up's checks call a deployment that uses one a problem.

export const PUBLISHED_SECRETS: ReadonlySet<string> = new Set([
  "z28ssnyosSPXY6e5nJDzBvucuaG3VET8GuleK8YP2N8",
  "5IfLygVO1Eyw4VkChbB8Tq8hvcBnED05Wo30QzeWnRE",
  "658WgAyQKf_KhWlXY9I8Os5xARz0DpNUrNgQIF4lD4c",
  "vEGLgSee72zPjr-94FlWq1Ih_3MOJvipGk_HJ4qbrvU",
  "fllaXsCirDGrKWdmNvxHuM3SuknH4P6SmuhRzScXSbo",
]);
