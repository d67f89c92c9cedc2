package jobs

import "millrace/transforms/decode"

// weblogFormats are what weblogs reads.
var weblogFormats = []Format{
	{"common", "Apache's common log"},
	{"combined", "the same with referrer and user agent; nginx's default"},
	{"vhost_combined", "combined behind the name of the virtual host"},
	{"cloudfront", "standard logs of Amazon CloudFront, by their #Fields line; of rows without one: cloudfront FIELD FIELD ..."},
	{"alb", "access logs of Application and Classic Load Balancers"},
	{"nginx", "any log_format of nginx: nginx@/etc/nginx/nginx.conf, nginx@FILE#NAME, or nginx and its text; never detected"},
	{"json", "one JSON object a line by a mapping file: json@mapping.yaml; members it does not name are not read; never detected"},
	{"apigateway", "JSON access logs of Amazon API Gateway, as its documentation has them"},
	{"vpcflow", "flows of a VPC, versions 2 to 5, as events without method and path; only where asked for"},
}

func readFormat(text string, read func(file string) ([]byte, error)) (string, error) {
	spec, err := decode.Given(text, read)
	return spec.String(), err
}

func inspect(head []byte, given string) (Inspected, error) {
	spec := decode.Spec{}
	if given != "" {
		var err error
		if spec, err = decode.ParseSpec(given); err != nil {
			return Inspected{}, err
		}
	}
	i, err := decode.Inspect(head, spec)
	return Inspected{Format: i.Spec.String(), Near: i.Near, Note: i.Note}, err
}
