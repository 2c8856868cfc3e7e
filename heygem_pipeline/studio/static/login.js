// The login: asks the server, and goes to the page when it is let in.

const form = document.getElementById("login");
const refused = form.querySelector(".refused");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = Object.fromEntries(new FormData(form));
  const answer = await fetch("login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(told),
  });
  if (answer.ok) {
    location.replace("./" + location.search);
    return;
  }
  refused.textContent = answer.status === 429 ? form.dataset.often : form.dataset.wrong;
  form.elements.password.value = "";
  form.elements.password.focus();
});
