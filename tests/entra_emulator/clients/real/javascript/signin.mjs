// Signs in once, as a program that uses Azure's identity library for JavaScript does, and prints
// the access token. The only argument names the credential; its settings are the library's own
// environment variables, as in a pod. Node reads the CA of the authority from NODE_EXTRA_CA_CERTS.
import { readFile } from "node:fs/promises";
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";

const settings = process.env;
const tenant = settings.AZURE_TENANT_ID;
const client = settings.AZURE_CLIENT_ID;
const options = {
  authorityHost: settings.AZURE_AUTHORITY_HOST,
  disableInstanceDiscovery: true,
};

/** Returns the federated token, which the library asks for at each sign-in. */
const assertion = () => readFile(settings.AZURE_FEDERATED_TOKEN_FILE, "utf8");

const credentials = {
  secret: () => new ClientSecretCredential(tenant, client, settings.AZURE_CLIENT_SECRET, options),
  certificate: () =>
    new ClientCertificateCredential(
      tenant,
      client,
      { certificatePath: settings.AZURE_CLIENT_CERTIFICATE_PATH },
      options,
    ),
  "workload-identity": () => new WorkloadIdentityCredential(options),
  assertion: () => new ClientAssertionCredential(tenant, client, assertion, options),
};

try {
  const token = await credentials[process.argv[2]]().getToken(settings.SCOPE);
  console.log(token.token);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
