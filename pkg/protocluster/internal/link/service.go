package link

import (
	"errors"
	"fmt"
	"reflect"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// Service is another gRPC service that a node offers on its port.
type Service struct {
	Desc *grpc.ServiceDesc // as generated code has it
	Impl any               // of Desc.HandlerType
}

// CheckServices says all that is wrong with services. A gRPC server would end the
// program.
func CheckServices(services []Service) error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("remote: "+format, args...))
		}
	}
	names := map[string]bool{remotepb.Remote_ServiceDesc.ServiceName: true}
	for _, s := range services {
		if s.Desc == nil || s.Impl == nil {
			fault(true, "a service without description or implementation; see WithService")
			continue
		}
		fault(names[s.Desc.ServiceName], "two services of the name %s on one port", s.Desc.ServiceName)
		names[s.Desc.ServiceName] = true
		if want := reflect.TypeOf(s.Desc.HandlerType); want != nil && want.Kind() == reflect.Pointer {
			want = want.Elem()
			fault(want.Kind() == reflect.Interface && !reflect.TypeOf(s.Impl).Implements(want),
				"%T does not implement %v, for the service %s", s.Impl, want, s.Desc.ServiceName)
		}
	}
	return errors.Join(faults...)
}
