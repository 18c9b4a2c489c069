// Which file answers: a folder's index, the report's page, else the single-page shop.
function handler(event) {
  var request = event.request;
  var last = request.uri.slice(request.uri.lastIndexOf("/") + 1);
  if (request.uri === "/report") {
    return { statusCode: 302, statusDescription: "Found", headers: { location: { value: "/report/" } } };
  }
  if (request.uri === "/report/") {
    request.uri = "/report/index.html";
  } else if (last.indexOf(".") < 0) {
    request.uri = "/index.html";
  }
  return request;
}
