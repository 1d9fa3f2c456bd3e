// Signs in once, as a program that uses Azure's identity library for Go does, and prints the
// access token. The only argument names the credential; its settings are the library's own
// environment variables, as in a pod. The CA of the authority is in SSL_CERT_FILE, which Go reads.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// maximum is how long a sign-in may take: the library repeats failed requests for minutes.
const maximum = 30 * time.Second

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: %s secret|certificate|workload-identity|assertion", os.Args[0]))
	}
	credential, err := credentialFor(os.Args[1])
	if err != nil {
		fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), maximum)
	defer cancel()
	wanted := policy.TokenRequestOptions{Scopes: []string{os.Getenv("SCOPE")}}
	token, err := credential.GetToken(ctx, wanted)
	if err != nil {
		fail(err)
	}
	fmt.Println(token.Token)
}

func credentialFor(kind string) (azcore.TokenCredential, error) {
	tenant, client := os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")
	options := azcore.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: os.Getenv("AZURE_AUTHORITY_HOST")},
	}
	switch kind {
	case "secret":
		return azidentity.NewClientSecretCredential(
			tenant, client, os.Getenv("AZURE_CLIENT_SECRET"),
			&azidentity.ClientSecretCredentialOptions{
				ClientOptions: options, DisableInstanceDiscovery: true,
			})
	case "certificate":
		return certificate(tenant, client, options)
	case "workload-identity":
		return azidentity.NewWorkloadIdentityCredential(
			&azidentity.WorkloadIdentityCredentialOptions{
				ClientOptions: options, DisableInstanceDiscovery: true,
			})
	case "assertion":
		return azidentity.NewClientAssertionCredential(
			tenant, client, assertion,
			&azidentity.ClientAssertionCredentialOptions{
				ClientOptions: options, DisableInstanceDiscovery: true,
			})
	default:
		return nil, fmt.Errorf("unknown kind of credential: %s", kind)
	}
}

func certificate(
	tenant, client string, options azcore.ClientOptions,
) (azcore.TokenCredential, error) {
	content, err := os.ReadFile(os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH"))
	if err != nil {
		return nil, err
	}
	chain, key, err := azidentity.ParseCertificates(content, nil)
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(
		tenant, client, chain, key,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: true,
		})
}

// assertion returns the federated token, which the library asks for at each sign-in.
func assertion(context.Context) (string, error) {
	content, err := os.ReadFile(os.Getenv("AZURE_FEDERATED_TOKEN_FILE"))
	return string(content), err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
