// Signs in on Cognito's pages (authorization code with PKCE) and shows the report. The token stays in
// memory: it ends with the page. Only the one-time secret of a sign-in under way is kept, for the tab.

const says = document.getElementById("says");
const { sign_in_url: signIn, client_id: clientId } = await (await fetch("config.json")).json();
const here = location.origin + "/report/";

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function leaveToSignIn() {
  const verifier = randomText();
  const state = randomText();
  sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const asked = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    scope: "openid email",
    redirect_uri: here,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign(`${signIn}/oauth2/authorize?${asked}`);
}

async function tokenOf(code, verifier) {
  const answer = await fetch(`${signIn}/oauth2/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: here,
      code,
      code_verifier: verifier,
    }),
  });
  return answer.ok ? (await answer.json()).id_token : null;
}

async function ask(token, method, path) {
  const answer = await fetch(path, { method, headers: { authorization: `Bearer ${token}` } });
  return { ok: answer.ok, text: await answer.text() };
}

const messageOf = (text) => {
  try {
    const answer = JSON.parse(text);
    return answer.message || answer.outcome || text;
  } catch {
    return text;
  }
};

const found = new URLSearchParams(location.search);
const begun = JSON.parse(sessionStorage.getItem("sign-in") || "null");
sessionStorage.removeItem("sign-in");
history.replaceState(null, "", here);

if (found.has("error")) {
  says.textContent = `Not signed in: ${found.get("error_description") || found.get("error")}`;
} else if (!found.has("code") || begun === null || found.get("state") !== begun.state) {
  await leaveToSignIn();
} else {
  const token = await tokenOf(found.get("code"), begun.verifier);
  if (token === null) {
    says.textContent = "Signing in failed: load this page again.";
  } else {
    const report = await ask(token, "GET", "/v1/admin/report");
    says.textContent = report.ok ? "" : messageOf(report.text);
    if (report.ok) document.getElementById("page").srcdoc = report.text;
    const refresh = document.getElementById("refresh");
    refresh.hidden = false;
    refresh.addEventListener("click", async () => {
      says.textContent = messageOf((await ask(token, "POST", "/v1/admin/refresh")).text);
    });
  }
}
