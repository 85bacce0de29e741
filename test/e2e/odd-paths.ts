// Paths that nobody who means well asks for: other spellings of a path, and what scanners try. Called by
// raw-paths.test.ts.

/** A path and ways to write it that a parser may tidy up into it (RFC 3986 §6.2.2, §5.2.4). */
export function spellings(path: string): readonly string[] {
  const name = path.slice(1);
  const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  const upper = name.toUpperCase();
  const mixed = upper.slice(0, 1) + name.slice(1);
  return [
    path,
    `${path}/`,
    `${path}//`,
    `${path}?`,
    `${path}#`,
    `${path}?x=1`,
    `${path}/?x`,
    `/${path}`,
    `//${path}`,
    `/.${path}`,
    `/./.${path}`,
    `/x/..${path}`,
    `/x/../..${path}`,
    `/%2e${path}`,
    `/x/%2e%2e${path}`,
    `/x/%2E%2E/${name}`,
    `/x/.%2e${path}`,
    `/%2f${name}`,
    `${path}/.`,
    `${path}/..`,
    `${path}/%2e`,
    `${path}/%2e%2e`,
    `${path}%2f`,
    `${path}/x/..`,
    `${path};x`,
    `${path};x=1`,
    `${path};/`,
    `/;${path}`,
    `${path}.`,
    `${path}..`,
    `${path}.json`,
    `${path}%00`,
    `${path}%20`,
    `${path}%0a`,
    `${path}%0d%0aX:y`,
    `${path}\\`,
    `/\\${name}`,
    `\\${name}`,
    `/x\\..\\${name}`,
    `${path}%5c`,
    `/x/..%5c${name}`,
    `/x/..%2f${name}`,
    `/x%2f..%2f${name}`,
    `/${upper}`,
    `/${mixed}`,
    `/${encoded}`,
    `/%25${encoded.slice(1)}`,
    `/%u00${encoded.slice(1)}`,
    `/%c0%af${name}`,
    `/%ef%bc%8f${name}`,
    `${path}%ff`,
    `${path}%`,
    `${path}%zz`,
  ];
}

/** At least 300 places where other software keeps secrets, consoles and source. */
export function debugPaths(): readonly string[] {
  const names =
    `.env .env.local .env.production .dev.vars .dev.vars.local .git .git/HEAD .git/config .gitignore .svn
    .hg .DS_Store .htaccess .htpasswd .npmrc .ssh/id_rsa .aws/credentials .vscode/settings.json .idea .well-known
    .state .wrangler .state/gong.v8 wrangler.toml package.json package-lock.json tsconfig.json index.js index.js.map
    worker.js worker.js.map main.js.map app.js.map src/index.ts src/app.ts node_modules README.md Dockerfile
    debug debug/vars debug/pprof debug/requests _debug __debug __debug__ _status status server-status server-info
    info info.php phpinfo.php test test.php ping metrics prometheus actuator actuator/env actuator/health
    actuator/heapdump trace heapdump threaddump dump env environment config config.json config.yml settings
    settings.json secrets secrets.json credentials credentials.json keys key private.pem server.key jwks jwks.json
    keys.json tokens token.json sessions session users user me whoami accounts console shell cmd exec eval
    graphql graphiql playground swagger swagger.json swagger-ui swagger-ui.html openapi.json openapi.yaml api
    api/v1 api/v2 api/docs docs redoc rpc jsonrpc sse message messages ws socket socket.io stream events inspector
    mcp.json mcp/sse mcp/message mcp/debug mcp/health mcp/tools shared shared/ shared/mcp/sse introspect userinfo
    oauth oauth/token oauth/authorize oauth2 oauth2/token oauth2/authorize oauth/register login logout signin
    sign-in signup auth auth/callback auth/login connect connect/register consent approve device_code par
    jwk certs health/live health/ready healthz livez readyz health/debug version build build-info buildinfo
    administrator admin.php admin.html adminer adminer.php wp-admin wp-login.php wp-config.php xmlrpc.php
    phpmyadmin manager manager/html jenkins solr kibana grafana nagios zabbix cgi-bin cgi-bin/test.cgi
    backup backup.sql backup.zip backup.tar.gz db db.sqlite dump.sql database.sql data data.json storage store
    gateway-AdminObject objects durable-objects do kv cdn-cgi/x __scheduled __cloudflare __miniflare __vite_ping
    __webpack_hmr __nextjs_original-stack-frame _next _next/static _nuxt _app _ah/admin __admin __health __version
    static static/app.js assets assets/index.js public favicon.png robots.txt sitemap.xml security.txt
    crossdomain.xml clientaccesspolicy.xml manifest.json service-worker.js sw.js browserconfig.xml failpoints
    failpoint __failpoint fp reset control faults ledger knobs seed fixtures mock stub internal internal/debug
    private proxy forward fetch url redirect goto open callback.html callback.json authorize.html tmp temp logs log
    error error.log errors access.log audit trace.axd elmah.axd web.config WEB-INF/web.xml META-INF/MANIFEST.MF
    etc/passwd ..%2f..%2fetc%2fpasswd %2e%2e/%2e%2e/etc/passwd proc/self/environ windows/win.ini boot.ini
    latest/meta-data computeMetadata/v1 metadata metadata.json v1 v2 v1/keys v1/models favicon.ico.map`
      .split(/\s+/)
      .map((name) => `/${name}`);
  const wellKnown = `security.txt openid-configuration jwks.json change-password apple-app-site-association
    assetlinks.json webfinger host-meta nodeinfo mcp.json ai-plugin.json gpc.json mta-sts.txt
    oauth-authorization-server/mcp oauth-protected-resource/x oauth-protected-resource/mcp/x openid-configuration/mcp`
    .split(/\s+/)
    .map((name) => `/.well-known/${name}`);
  return [...names, ...wellKnown];
}
