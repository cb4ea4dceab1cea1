package identity

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
)

// scheme begins the URI SAN of an authority, which goes on with its cluster.
const scheme = "spiffe://"

// ParseAuthorities reads a bundle: the authorities of one cluster, each once. It
// does not look at the time. Errors: INVALID, and CLUSTER_MISMATCH for a bundle of
// several clusters.
func ParseAuthorities(bundle []byte) (cluster string, authorities []*x509.Certificate, err error) {
	certificates, err := parseCertificates("authorities", bundle, maxCertificates)
	if err != nil {
		return "", nil, err
	}
	for _, certificate := range certificates {
		of, err := clusterOf(certificate)
		if err != nil {
			return "", nil, err
		}
		if cluster == "" {
			cluster = of
		}
		if of != cluster {
			return "", nil, candor.Errorf(candor.ReasonClusterMismatch, "authorities: the bundle is of cluster %s and of cluster %s; want the authorities of one", cluster, of)
		}
		if !slices.ContainsFunc(authorities, certificate.Equal) {
			authorities = append(authorities, certificate)
		}
	}
	return cluster, authorities, nil
}

// clusterOf is the cluster whose authority the certificate is.
func clusterOf(certificate *x509.Certificate) (string, error) {
	name := describe(certificate)
	if !certificate.BasicConstraintsValid || !certificate.IsCA || certificate.KeyUsage&x509.KeyUsageCertSign == 0 {
		return "", candor.Errorf(candor.ReasonInvalid, "authorities: %s may not sign certificates; want an authority's certificate here", name)
	}
	if len(certificate.URIs) != 1 {
		return "", candor.Errorf(candor.ReasonInvalid, "authorities: %s has %d URI SANs; want exactly one, spiffe://CLUSTER", name, len(certificate.URIs))
	}
	uri := certificate.URIs[0].String()
	cluster, ok := strings.CutPrefix(uri, scheme)
	if !ok {
		return "", candor.Errorf(candor.ReasonInvalid, "authorities: %s has the URI SAN %q; want spiffe://CLUSTER", name, clip(uri))
	}
	if err := candor.CheckTrustDomain(cluster); err != nil {
		return "", candor.Errorf(candor.ReasonInvalid, "authorities: %s has the URI SAN %q; want spiffe://CLUSTER: %w", name, clip(uri), err)
	}
	return cluster, nil
}

// describe names a certificate in messages: by its URI, or else its subject, and
// the beginning of its fingerprint.
func describe(certificate *x509.Certificate) string {
	name := quoted(certificate.Subject.String())
	if len(certificate.URIs) > 0 {
		name = clip(certificate.URIs[0].String())
	}
	return "certificate " + name + " (" + Fingerprint(certificate)[:16] + ")"
}

// inTime returns an Error of that reason unless now is in the certificate's time.
func inTime(certificate *x509.Certificate, now time.Time, reason candor.Reason, next string) error {
	if now.Before(certificate.NotBefore) {
		return candor.Errorf(reason, "%s is not yet valid: from %s, and it is %s; %s, or look at the clock",
			describe(certificate), stamp(certificate.NotBefore), stamp(now), next)
	}
	if now.After(certificate.NotAfter) {
		return candor.Errorf(reason, "%s has expired: on %s, and it is %s; %s",
			describe(certificate), stamp(certificate.NotAfter), stamp(now), next)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
