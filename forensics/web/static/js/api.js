// Calls to this server alone. Every failure becomes an Error with a code and one line.

export class ApiError extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export async function api(path, { method = "GET", body, signal } = {}) {
  const options = { method, signal, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(`/v1/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "The server does not answer.");
  }
  if (answer.status === 204) return null;
  const kind = answer.headers.get("Content-Type") ?? "";
  const data = kind.includes("json") ? await answer.json() : await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, data.code ?? "error", typeof data.detail === "string" ? data.detail : `HTTP ${answer.status}`);
  return data;
}

// Send one file; `onSent` receives the share that is on its way, 0 to 1.
export function send(file, fields, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
    request.open("POST", "/v1/scans");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onSent(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const data = request.response ?? {};
      if (request.status === 202) resolve(data);
      else reject(new ApiError(request.status, data.code ?? "error", data.detail ?? `HTTP ${request.status}`));
    });
    request.addEventListener("error", () => reject(new ApiError(0, "offline", "The upload was cut off.")));
    request.send(form);
  });
}
