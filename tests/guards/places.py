"""Where the guards stand."""

DOMAIN = "shared/domain/src/"
FETCH = "functions/fetch-info/src/"
PROMPT = "functions/send-prompt/src/"
CONSENT = "functions/consent-callback/src/"
INTAKE = "functions/intake/src/"
STRIPE = "shared/processors/src/stripe/"
OPENID = "shared/processors/src/openid/"
