"use strict";
// Shows the buttons of the wallets that work on this device. An approval posts the page's own form with the wallet's token,
// so this script decides nothing.
(() => {
  const form = document.querySelector("form");
  const buttons = [...form.querySelectorAll("[data-wallet]")];
  const failed = document.getElementById("wallet-failed");
  const none = document.getElementById("no-wallet");
  const shown = [];
  // Buttons of the form are named `action` too, so `form.action` is not the form's target.
  const here = form.getAttribute("action");

  const fields = (more) => {
    const data = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(more)) data.set(name, value);
    return data;
  };
  const post = (more) => fetch(here, { method: "POST", body: fields(more), credentials: "same-origin" });
  const goOn = () => location.replace(`${here}?go=1`);
  const fail = () => {
    failed.hidden = false;
  };
  const approve = (wallet, token) => post({ action: "approve", wallet, token }).then((answer) => answer.ok);

  const show = (button) => {
    button.hidden = false;
    if (none) none.hidden = true;
    shown.push(button.dataset.wallet);
  };
  const opening = (open) => () => {
    failed.hidden = true;
    if (form.reportValidity()) open();
  };

  const apple = (button, setup) => {
    let works = false;
    try {
      works = Boolean(window.ApplePaySession) && ApplePaySession.canMakePayments();
    } catch {
      // The page is not served over https, or the app around this browser forbids Apple Pay.
    }
    if (!works) return;
    const open = () => {
      const session = new ApplePaySession(3, setup);
      session.onvalidatemerchant = () => {
        post({ action: "apple_session" })
          .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
          .then((merchant) => session.completeMerchantValidation(merchant))
          .catch(() => {
            session.abort();
            fail();
          });
      };
      session.onpaymentauthorized = (event) => {
        approve("apple_pay", JSON.stringify(event.payment.token))
          .catch(() => false)
          .then((done) => {
            session.completePayment({
              status: done ? ApplePaySession.STATUS_SUCCESS : ApplePaySession.STATUS_FAILURE,
            });
            if (done) goOn();
            else fail();
          });
      };
      session.begin();
    };
    button.addEventListener("click", opening(open));
    show(button);
  };

  // Google wants the button that its own script draws, with its mark, in place of one of ours.
  const drawn = (client, open) => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const look = { buttonType: "plain", buttonColor: dark ? "white" : "black", buttonSizeMode: "fill", buttonRadius: 12 };
    const button = client.createButton({ ...look, onClick: opening(open) });
    button.classList.add("google");
    button.dataset.wallet = "google_pay";
    // A button of another type would send the form.
    for (const inner of button.querySelectorAll("button")) inner.type = "button";
    return button;
  };

  const google = (button, setup) =>
    new Promise((done) => {
      const script = document.createElement("script");
      script.src = "https://pay.google.com/gp/p/js/pay.js";
      script.onerror = done;
      script.onload = () => {
        const { environment, transactionInfo, merchantInfo, nonce, ...base } = setup;
        // The styles that Google's script adds carry this nonce, which the page's policy names.
        const client = new window.google.payments.api.PaymentsClient({ environment, merchantInfo, nonce });
        const open = () =>
          client
            .loadPaymentData({ ...base, transactionInfo, merchantInfo })
            .then((data) => approve("google_pay", data.paymentMethodData.tokenizationData.token))
            .then((ok) => (ok ? goOn() : fail()))
            .catch((error) => {
              if (error.statusCode !== "CANCELED") fail();
            });
        client
          .isReadyToPay(base)
          .then((answer) => {
            if (!answer.result) return;
            const own = drawn(client, open);
            button.replaceWith(own);
            show(own);
          })
          .catch(() => {})
          .then(done);
      };
      document.head.append(script);
    });

  Promise.all(
    buttons.map((button) => {
      const setup = JSON.parse(button.dataset.setup);
      return button.dataset.wallet === "apple_pay" ? apple(button, setup) : google(button, setup);
    }),
  ).then(() => {
    // The next request's routes depend on the wallets of this device.
    post({ action: "observed", wallets: shown.join(",") }).catch(() => {});
  });
})();
