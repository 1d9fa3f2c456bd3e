import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.ClientAssertionCredentialBuilder;
import com.azure.identity.ClientCertificateCredentialBuilder;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.identity.WorkloadIdentityCredentialBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Signs in once, as a program that uses Azure's identity library for Java does, and prints the
 * access token. The only argument names the credential; its settings are the library's own
 * environment variables, as in a pod. The CA of the authority is in the JVM's trust store.
 */
final class SignIn {
    private static final String TENANT = System.getenv("AZURE_TENANT_ID");
    private static final String CLIENT = System.getenv("AZURE_CLIENT_ID");
    private static final String AUTHORITY = System.getenv("AZURE_AUTHORITY_HOST");

    private SignIn() {}

    public static void main(String[] arguments) {
        try {
            var wanted = new TokenRequestContext().addScopes(System.getenv("SCOPE"));
            System.out.println(credential(arguments[0]).getTokenSync(wanted).getToken());
        } catch (RuntimeException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
        System.exit(0); // the library's threads would keep it running
    }

    private static TokenCredential credential(String kind) {
        return switch (kind) {
            case "secret" -> new ClientSecretCredentialBuilder()
                    .tenantId(TENANT)
                    .clientId(CLIENT)
                    .clientSecret(System.getenv("AZURE_CLIENT_SECRET"))
                    .authorityHost(AUTHORITY)
                    .disableInstanceDiscovery()
                    .build();
            case "certificate" -> new ClientCertificateCredentialBuilder()
                    .tenantId(TENANT)
                    .clientId(CLIENT)
                    .pemCertificate(System.getenv("AZURE_CLIENT_CERTIFICATE_PATH"))
                    .authorityHost(AUTHORITY)
                    .disableInstanceDiscovery()
                    .build();
            case "workload-identity" -> new WorkloadIdentityCredentialBuilder()
                    .authorityHost(AUTHORITY)
                    .disableInstanceDiscovery()
                    .build();
            case "assertion" -> new ClientAssertionCredentialBuilder()
                    .tenantId(TENANT)
                    .clientId(CLIENT)
                    .clientAssertion(SignIn::assertion)
                    .authorityHost(AUTHORITY)
                    .disableInstanceDiscovery()
                    .build();
            default -> throw new IllegalArgumentException("unknown kind of credential: " + kind);
        };
    }

    /** Returns the federated token, which the library asks for at each sign-in. */
    private static String assertion() {
        try {
            return Files.readString(Path.of(System.getenv("AZURE_FEDERATED_TOKEN_FILE")));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
